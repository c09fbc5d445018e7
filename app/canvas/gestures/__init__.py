"""What the mouse can do on the canvas, one class a gesture: begun by a press, ended by release or Escape."""
