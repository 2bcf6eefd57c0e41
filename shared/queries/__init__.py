"""The query language of Appwrite's SDKs: query strings become a tree, which stores compile and `matching` evaluates."""
