"""24SevenOffice (Finago Office): two ways of signing in, REST first, SOAP for what only it can do."""
