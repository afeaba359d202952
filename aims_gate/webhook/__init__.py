"""The webhook receiver: deliveries in over HTTP, models marked dirty, workers that judge them."""
