"""What the frameworks of the original share."""
