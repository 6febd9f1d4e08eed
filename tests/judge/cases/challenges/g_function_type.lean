def Op := Nat → Nat → Nat
def plus : Op := sorry
theorem t (a b : Nat) : plus a b = a + b := sorry
