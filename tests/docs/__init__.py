"""What the pages say is true: their commands, names, links and examples."""
