"""What every list takes: filters, orders, cursors, pages."""
