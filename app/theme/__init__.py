"""How everything looks: colours by name, the fonts, the icons, one style sheet. The lowest room of the app.

Widgets ask `theme()` (current.py) for the tokens whenever they paint, and listen to its `changed`.
"""
