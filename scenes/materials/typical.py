"""A material by name, for scenes that are edited by hand."""

from __future__ import annotations

from scenes.distributions import parse
from scenes.errors import InputError
from scenes.materials.families import TEXTURED
from scenes.materials.roles import family_parameters
from scenes.record.material import Material, Parameter


def material(family: str, **parameters: Parameter) -> Material:
    """Make a material of a family. Parameters that are not given have the middle value of the family.

    Parameters
    ----------
    family : str
        Name of a material family, such as "metal", or "own" for the material of the model file.
    **parameters : float, str or tuple of 3 floats
        Values of single parameters. The families "pbr" and "image" need `texture`, the asset id of a texture.

    Returns
    -------
    Material
        It fits into `Item.materials`.

    Raises
    ------
    InputError
        The family or a parameter is unknown, or the texture is missing.

    Examples
    --------
    >>> from blendmill import material
    >>> material("metal", roughness=0.1).parameters["roughness"]
    0.1
    """
    texture = {name: value for name, value in parameters.items() if name == "texture" and family in TEXTURED}
    if family in TEXTURED and not texture:
        raise InputError(f"material '{family}': give texture, the asset id of a texture")
    given = {name: parse(value) for name, value in parameters.items() if name not in texture}
    values = {name: distribution.at(0.5) for name, distribution in family_parameters(family, given).items()}
    return Material(family, {**values, **texture})
