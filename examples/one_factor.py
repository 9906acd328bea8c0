"""Two sets that differ in one factor: every other factor of every picture is the same, so you compare in pairs."""

import blendmill

plain = blendmill.load_config("s2rda13", {"camera.resolution": [192, 192]})
fixed = blendmill.load_config("s2rda13", {"camera.resolution": [192, 192], "lighting.world.strength": 0.3})

sheet = []
for config in (plain, fixed):
    with blendmill.Studio(config, seed=1) as studio:
        sheet += [studio.draw(index).rgb for index in range(6)]
blendmill.contact_sheet(sheet, columns=6).save("one_factor.png")
