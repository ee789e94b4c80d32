"""What cases and scenarios use, besides zlab. Importable on the host as well, like zlab."""
