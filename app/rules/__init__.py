"""The page of rules: the editor with room, what is known of the rules, a record to try them on, the packs."""
