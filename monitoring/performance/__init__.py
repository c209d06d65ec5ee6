"""How well a model does where the truth is not known. Blind to concept drift: see `cbpe` and `loss_table`."""
