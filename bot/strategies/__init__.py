"""How a turn is answered: by one model, or by several."""
