"""A guard model: how it is asked, and what its opinion comes to."""
