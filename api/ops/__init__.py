"""What operators ask and order, behind tokens: assets, alarms, commands, refused uplinks, the ledger."""
