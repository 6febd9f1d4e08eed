def double (n : Nat) : Nat := n + n
def lie (_ : Nat) : Bool := true
@[implemented_by lie] def truth (n : Nat) : Bool := n == 0
theorem t : truth 5 = true := by native_decide
theorem double_odd (n : Nat) : double n % 2 = 1 := by have := t; simp [truth] at this
