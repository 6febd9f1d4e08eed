namespace XorGroup

theorem xor_assoc (a b c : Bool) : ((a ^^ b) ^^ c) = (a ^^ (b ^^ c)) := by
  cases a <;> cases b <;> cases c <;> rfl

theorem xor_comm (a b : Bool) : (a ^^ b) = (b ^^ a) := by
  cases a <;> cases b <;> rfl

theorem xor_unique_solution (a b : Bool) :
    ∃ x, (a ^^ x) = b ∧ ∀ y, (a ^^ y) = b → y = x := by
  refine ⟨a ^^ b, ?_, fun y h => ?_⟩
  · cases a <;> cases b <;> rfl
  · cases a <;> cases b <;> cases y <;> simp_all

theorem foldr_xor_append (xs ys : List Bool) :
    (xs ++ ys).foldr xor false = (xs.foldr xor false ^^ ys.foldr xor false) := by
  induction xs with
  | nil => simp
  | cons x xs ih => simp only [List.cons_append, List.foldr_cons, ih, xor_assoc]

end XorGroup
