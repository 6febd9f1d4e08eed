namespace ArrayPush

def pushAll {α : Type} (a : Array α) : List α → Array α
  | [] => a
  | x :: xs => pushAll (a.push x) xs

theorem size_pushAll {α : Type} (a : Array α) (xs : List α) :
    (pushAll a xs).size = a.size + xs.length := by
  induction xs generalizing a with
  | nil => rfl
  | cons x xs ih =>
    simp only [pushAll, ih, Array.size_push, List.length_cons]
    omega

theorem toList_pushAll {α : Type} (a : Array α) (xs : List α) :
    (pushAll a xs).toList = a.toList ++ xs := by
  induction xs generalizing a with
  | nil => simp [pushAll]
  | cons x xs ih => simp [pushAll, ih]

end ArrayPush
