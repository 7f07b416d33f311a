"""What people want of a reply that stands there: another one, its continuation, its edit."""
