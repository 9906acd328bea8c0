"""The gallery: a page that shows the pictures, labels and factors of data sets in a browser."""
