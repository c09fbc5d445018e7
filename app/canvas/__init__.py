"""The canvas: a view of the document's graph, and the gestures that edit it.

The scene holds nothing of its own: it follows the document, and every edit goes through `document.edit`.
One item a node, painted by itself and cached; two plain path items a wire (line and halo); no widget in it.
"""
