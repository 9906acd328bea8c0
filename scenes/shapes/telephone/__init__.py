"""The class telephone."""
