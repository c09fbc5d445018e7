"""From a graph with a data source to the records that training and scoring take."""
