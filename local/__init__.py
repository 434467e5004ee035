"""What stands outside the product: the embedded AWS, the stand-in ERPs and the demo. None of it ships."""
