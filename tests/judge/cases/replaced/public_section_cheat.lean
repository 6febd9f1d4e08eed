@[expose] public section
def double (n : Nat) : Nat := n + n + 1
theorem double_odd (n : Nat) : double n % 2 = 1 := sorry
end
private theorem other : True := trivial
