"""What is drawn from numbers: curves, rasters, weight maps. The only room that imports pyqtgraph."""
