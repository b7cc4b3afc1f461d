"""The seal of a run: what was raced, measured and concluded, as hashes that anyone can compute again.

    RUN/seal.json    hashes of the data, the evidence and the model; the verdict; a signature, where a key was given

Needs that this room answers:

* Whoever gets a verdict can see that it follows from the evidence, and that nothing of either was altered since.
* The seal is about what decides: the plan, the trials, their records. Events are not part of it, because what is
  analysed later appends events and changes no verdict.
* A seal without a signature shows damage, not forgery: whoever can alter the evidence can seal it anew. Only a
  signature by a key that the reader knows shows who vouches for it, and every message says which of both it is.
"""
