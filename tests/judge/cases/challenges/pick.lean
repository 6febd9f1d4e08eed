/-- A function that forgets nothing, and its inverse. -/
def code (a b : Nat) : Nat := sorry

def decode (n : Nat) : Nat × Nat := sorry

theorem decode_code (a b : Nat) : decode (code a b) = (a, b) := sorry
