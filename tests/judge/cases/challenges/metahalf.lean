import Lean

def half (n : Nat) : Nat := sorry

theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := sorry
