"""How a reply becomes visible, and stays true."""
