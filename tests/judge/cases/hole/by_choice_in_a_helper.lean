def somewhere {p : Nat → Prop} (h : ∃ n, p n) : Nat :=
  (Classical.indefiniteDescription p h).val

def find (f : Nat → Nat) (h : ∃ n, f n = 0) : Nat := somewhere h

theorem find_spec (f : Nat → Nat) (h : ∃ n, f n = 0) : f (find f h) = 0 :=
  (Classical.indefiniteDescription (fun n => f n = 0) h).property
