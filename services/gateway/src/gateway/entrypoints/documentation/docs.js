SwaggerUIBundle({
  url: "/openapi.json",
  domNode: document.getElementById("api"),
  deepLinking: true,
  validatorUrl: null, // its default asks a foreign host
});
