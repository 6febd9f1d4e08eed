theorem option_bind_assoc {α β γ : Type} (o : Option α) (f : α → Option β) (g : β → Option γ) :
    (o.bind f).bind g = o.bind (fun x => (f x).bind g) := by cases o <;> rfl
