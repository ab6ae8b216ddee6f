"""What to try: small recipes, how they are drawn, and their expansion to cases."""
