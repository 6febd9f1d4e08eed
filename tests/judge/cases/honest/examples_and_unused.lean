def double (n : Nat) : Nat := n + n
example : 1 = 2 := sorry
theorem unfinished : 1 = 2 := by sorry
axiom unused : False
partial def loop (n : Nat) : Nat := loop (n + 1)
unsafe def uns : Nat := 3
noncomputable def nc : Nat := Classical.choice ⟨3⟩
opaque op : Nat
theorem double_even (n : Nat) : double n % 2 = 0 := by unfold double; omega
#check double_even
#print double
#reduce double 3
#synth Inhabited Nat
