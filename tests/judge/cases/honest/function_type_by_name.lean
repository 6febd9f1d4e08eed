def Op := Nat → Nat → Nat
def plus : Op := fun a b => a + b
theorem t (a b : Nat) : plus a b = a + b := rfl
