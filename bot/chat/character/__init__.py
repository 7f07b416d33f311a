"""Does the persona stay itself?"""
