"""The room that decides: alarms, dimming, free places. Pure rules inside, one service round them."""
