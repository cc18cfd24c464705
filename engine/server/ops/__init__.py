"""Seeing inside a running server, and stepping in: health, metrics, JSON, and a page that shows all of it live."""
