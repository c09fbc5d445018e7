"""The window around it all: menus, toolbar, panes, files, and what is said to the person in passing."""
