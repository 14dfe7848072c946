"""One file per provider; `belfry.notifiers.provider.PROVIDERS` lists them."""
