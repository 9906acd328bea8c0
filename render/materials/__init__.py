"""Node trees for the material families of `scenes.families`; `palette.Palette` hands them out."""
