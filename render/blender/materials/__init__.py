"""Node trees for the material families of `scenes.materials.families`; `palette.Palette` hands them out."""
