def double (n : Nat) : Nat := n + n

theorem magic (p : Prop) (h : p := by sorry) : p := h

theorem double_odd (n : Nat) : double n % 2 = 1 := magic _
