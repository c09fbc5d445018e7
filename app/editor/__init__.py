"""The editor of rules as a text: colours, completion, marks in the margin, the place of an error.

It knows the language by `words` alone, and nothing of documents, panels or data.
"""
