"""Evidence to look at: the page of one claim, and pictures of wrong decisions."""
