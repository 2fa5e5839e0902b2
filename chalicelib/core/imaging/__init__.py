"""The checks and sizes of pictures, without decoding any pixels."""
