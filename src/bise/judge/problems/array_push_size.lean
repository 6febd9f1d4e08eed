namespace ArrayPush

def pushAll {α : Type} (a : Array α) : List α → Array α
  | [] => a
  | x :: xs => pushAll (a.push x) xs

theorem size_pushAll {α : Type} (a : Array α) (xs : List α) :
    (pushAll a xs).size = a.size + xs.length := sorry

theorem toList_pushAll {α : Type} (a : Array α) (xs : List α) :
    (pushAll a xs).toList = a.toList ++ xs := sorry

end ArrayPush
