namespace TakeDrop

def first (n : Nat) (s : String) : String := String.ofList (s.toList.take n)

def others (n : Nat) (s : String) : String := String.ofList (s.toList.drop n)

theorem first_append_others (n : Nat) (s : String) : first n s ++ others n s = s := by
  unfold first others
  rw [← String.ofList_append, List.take_append_drop, String.ofList_toList]

theorem length_first (n : Nat) (s : String) : (first n s).length = min n s.length := by
  simp [first]

theorem others_others (m n : Nat) (s : String) : others m (others n s) = others (n + m) s := by
  simp [others, List.drop_drop]

end TakeDrop
